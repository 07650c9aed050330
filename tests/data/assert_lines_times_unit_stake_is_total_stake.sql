with

bets as (

    select * from {{ ref('fct_bet') }}

),

bet_types as (

    select * from {{ ref('bet_types') }}

)

select
    bets.bet_key,
    bets.bet_type_code,
    bets.is_each_way,
    bets.line_count,
    bet_types.line_count as line_count_of_type,
    bets.unit_stake,
    bets.total_stake,
    bets.bonus_stake
from bets
inner join bet_types on bets.bet_type_code = bet_types.bet_type_code
where
    bets.line_count is distinct from bet_types.line_count * case when bets.is_each_way then 2 else 1 end
    or bets.line_count * bets.unit_stake is distinct from bets.total_stake
    or bets.bonus_stake is null
    or bets.bonus_stake < 0
    or bets.bonus_stake > bets.total_stake
