with

source as (

    select * from {{ source('trading', 'sports') }}

),

renamed as (

    select
        sport_id,
        sport_name,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
