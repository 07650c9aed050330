with

source as (

    select * from {{ source('trading', 'events') }}

),

renamed as (

    select
        event_id,
        competition_id,
        event_name,
        status as event_status,
        starts_at,
        updated_at,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
