with

source as (

    select * from {{ source('trading', 'results') }}

),

renamed as (

    select
        selection_id,
        result,
        resulted_at,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
