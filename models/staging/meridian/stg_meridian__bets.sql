with

source as (

    select * from {{ source('meridian', 'bets') }}

),

renamed as (

    select
        bet_id,
        customer_id,
        bet_type_code as meridian_bet_type_code,
        each_way_flag = 'Y' as is_each_way,
        num_lines as line_count,
        {{ minor_to_major_units('unit_stake') }} as unit_stake,
        {{ minor_to_major_units('total_stake') }} as total_stake,
        {{ minor_to_major_units('bonus_stake') }} as bonus_stake,
        currency_code,
        case status
            when 'O' then 'open'
            when 'W' then 'won'
            when 'L' then 'lost'
            when 'V' then 'void'
            when 'C' then 'cashed_out'
        end as bet_status,
        case channel_code
            when 'W' then 'web'
            when 'M' then 'mobile'
        end as channel,
        {{ utc_to_instant('placed_at') }} as placed_at,
        {{ utc_to_instant('updated_at') }} as updated_at,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
