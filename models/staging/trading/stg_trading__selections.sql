with

source as (

    select * from {{ source('trading', 'selections') }}

),

renamed as (

    select
        selection_id,
        market_id,
        selection_name,
        cast(opening_price as numeric(18, 10)) as opening_odds,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
