with

bets as (

    select * from {{ ref('fct_bet') }}

),

settlements as (

    select
        bet_key,
        sum(case when settlement_type = 'settled' then 1 else 0 end) as settled_count,
        sum(case when settlement_type = 'void' then 1 else 0 end) as void_count,
        sum(case when settlement_type = 'cashed_out' then 1 else 0 end) as cash_out_count,
        sum(case when settlement_type = 'settled' then return_amount else 0 end) as settled_amount,
        sum(return_amount) as return_amount
    from {{ ref('fct_settlement') }}
    group by bet_key

),

compared as (

    select
        bets.bet_key,
        bets.bet_status,
        bets.cash_stake,
        bets.return_amount,
        bets.business_day,
        coalesce(settlements.settled_count, 0) as settled_count,
        coalesce(settlements.void_count, 0) as void_count,
        coalesce(settlements.cash_out_count, 0) as cash_out_count,
        coalesce(settlements.settled_amount, 0) as settled_amount,
        coalesce(settlements.return_amount, 0) as settlement_return_amount
    from bets
    left join settlements on bets.bet_key = settlements.bet_key

)

select *
from compared
where
    coalesce(return_amount, 0) is distinct from settlement_return_amount
    or (bet_status is distinct from 'open' and business_day is null)
    or not case bet_status
        when 'open' then settled_count = 0 and void_count = 0
        when 'won' then settled_count = 1 and void_count = 0 and settled_amount > 0
        when 'lost' then settled_count = 1 and void_count = 0 and settled_amount = 0
        when 'void' then void_count = 1 and settled_count = 0 and settlement_return_amount is not distinct from cash_stake
        when 'cashed_out' then cash_out_count >= 1 and settled_count = 0 and void_count = 0
        else false
    end
