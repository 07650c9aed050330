with

selections as (

    select * from {{ ref('stg_trading__selections') }}

),

results as (

    select * from {{ ref('stg_trading__results') }}

),

markets as (

    select * from {{ ref('dim_market') }}

),

events as (

    select * from {{ ref('dim_event') }}

),

final as (

    select
        selections.selection_id,
        selections.market_id,
        markets.event_id,
        events.sport_name,
        selections.selection_name,
        selections.opening_odds,
        results.result,
        results.resulted_at
    from selections
    left join results on selections.selection_id = results.selection_id
    left join markets on selections.market_id = markets.market_id
    left join events on markets.event_id = events.event_id

)

select * from final
