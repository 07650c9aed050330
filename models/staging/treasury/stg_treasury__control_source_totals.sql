with

source as (

    select * from {{ source('treasury', 'control_source_totals') }}

),

renamed as (

    select
        source as business,
        table_name,
        business_day as placed_on,
        row_count,
        sum_stake_minor as total_stake_minor,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
