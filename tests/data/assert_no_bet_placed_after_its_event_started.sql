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

),

events as (

    select * from {{ ref('dim_event') }}

)

select
    bets.bet_key,
    bet_legs.leg_number,
    markets.market_id,
    events.event_id,
    events.starts_at,
    bets.placed_at
from bet_legs
inner join bets on bet_legs.bet_key = bets.bet_key
inner join selections on bet_legs.selection_id = selections.selection_id
inner join markets on selections.market_id = markets.market_id
inner join events on markets.event_id = events.event_id
where
    not markets.is_in_play
    and bets.placed_at > events.starts_at
