with

markets as (

    select * from {{ ref('stg_trading__markets') }}

),

final as (

    select
        market_id,
        event_id,
        market_name,
        market_type,
        is_in_play
    from markets

)

select * from final
