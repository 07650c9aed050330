with

bets as (

    select * from {{ ref('fct_bet') }}
    where bet_status in ('won', 'lost')

),

returns_by_odds as (

    select * from {{ ref('bet_returns_by_odds') }}
    where has_all_legs

)

select
    bets.bet_key,
    bets.bet_type_code,
    bets.bet_status,
    bets.unit_stake,
    bets.return_amount,
    returns_by_odds.return_by_odds
from bets
inner join returns_by_odds on bets.bet_key = returns_by_odds.bet_key
where
    returns_by_odds.return_by_odds is null
    or bets.return_amount is null
    or abs(bets.return_amount - returns_by_odds.return_by_odds) > 0.01
