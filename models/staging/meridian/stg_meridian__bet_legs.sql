with

source as (

    select * from {{ source('meridian', 'bet_legs') }}

),

renamed as (

    select
        bet_id,
        leg_no as leg_number,
        selection_id,
        price_num as price_numerator,
        price_den as price_denominator,
        {{ fractional_to_decimal_odds('price_num', 'price_den') }} as decimal_odds,
        case result
            when 'W' then 'won'
            when 'L' then 'lost'
            when 'V' then 'void'
            when 'P' then 'placed'
        end as leg_result,
        {{ utc_to_instant('updated_at') }} as updated_at,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
