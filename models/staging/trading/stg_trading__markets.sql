with

source as (

    select * from {{ source('trading', 'markets') }}

),

renamed as (

    select
        market_id,
        event_id,
        market_name,
        market_type,
        is_in_play,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
