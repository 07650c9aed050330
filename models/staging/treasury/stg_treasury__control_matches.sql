with

source as (

    select * from {{ source('treasury', 'control_matches') }}

),

renamed as (

    select
        metric as metric_name,
        value as metric_value,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
