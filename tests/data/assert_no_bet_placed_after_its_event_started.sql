{{ config(warn_if='>0', error_if='>25') }}

with

bets as (

    select * from {{ ref('fct_bet') }}

),

bet_legs as (

    select * from {{ ref('fct_bet_leg') }}

),

selections as (

    select * from {{ ref('dim_selection') }}

),

markets as (

    select * from {{ ref('dim_market') }}
    where not is_in_play

),

events as (

    select * from {{ ref('dim_event') }}

),

first_starts as (

    select
        bet_legs.bet_key,
        min(events.starts_at) as first_starts_at
    from bet_legs
    inner join selections on bet_legs.selection_id = selections.selection_id
    inner join markets on selections.market_id = markets.market_id
    inner join events on markets.event_id = events.event_id
    group by bet_legs.bet_key

)

select
    bets.bet_key,
    bets.placed_at,
    first_starts.first_starts_at
from bets
inner join first_starts on bets.bet_key = first_starts.bet_key
where bets.placed_at > first_starts.first_starts_at
