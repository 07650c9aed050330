with

source as (

    select * from {{ source('meridian', 'settlements') }}

),

renamed as (

    select
        settlement_id,
        bet_id,
        case settlement_type
            when 'S' then 'settled'
            when 'C' then 'cashed_out'
            when 'V' then 'void'
        end as settlement_type,
        {{ minor_to_major_units('return_amount') }} as return_amount,
        currency_code,
        {{ utc_to_instant('settled_at') }} as settled_at,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
