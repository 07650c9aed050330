with

bets as (

    select * from {{ ref('fct_bet') }}

),

bet_types as (

    select * from {{ ref('bet_types') }}

),

legs as (

    select
        bet_key,
        count(*) as leg_count,
        min(leg_number) as first_leg_number,
        max(leg_number) as last_leg_number
    from {{ ref('fct_bet_leg') }}
    group by bet_key

)

select
    bets.bet_key,
    bets.bet_type_code,
    bet_types.leg_count as demanded_leg_count,
    legs.leg_count,
    legs.first_leg_number,
    legs.last_leg_number
from bets
inner join bet_types on bets.bet_type_code = bet_types.bet_type_code
left join legs on bets.bet_key = legs.bet_key
where
    legs.bet_key is null
    or legs.leg_count is distinct from bet_types.leg_count
    or legs.first_leg_number is distinct from 1
    or legs.last_leg_number is distinct from bet_types.leg_count
