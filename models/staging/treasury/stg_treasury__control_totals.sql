with

source as (

    select * from {{ source('treasury', 'control_totals') }}

),

renamed as (

    select
        business_day,
        business,
        bet_count,
        turnover_gbp,
        returns_gbp,
        ggr_gbp,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
