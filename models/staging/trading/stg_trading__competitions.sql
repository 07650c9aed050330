with

source as (

    select * from {{ source('trading', 'competitions') }}

),

renamed as (

    select
        competition_id,
        sport_id,
        competition_name,
        country_code,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
