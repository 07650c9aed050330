with

events as (

    {{ latest_version(ref('stg_trading__events'), 'event_id') }}

),

competitions as (

    select * from {{ ref('stg_trading__competitions') }}

),

sports as (

    select * from {{ ref('stg_trading__sports') }}

),

final as (

    select
        events.event_id,
        events.event_name,
        events.event_status,
        events.starts_at,
        events.competition_id,
        competitions.competition_name,
        competitions.country_code,
        sports.sport_id,
        sports.sport_name
    from events
    left join competitions on events.competition_id = competitions.competition_id
    left join sports on competitions.sport_id = sports.sport_id

)

select * from final
