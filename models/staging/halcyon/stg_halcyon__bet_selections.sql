with

source as (

    select * from {{ source('halcyon', 'bet_selection') }}

),

renamed as (

    select
        lower(betguid) as bet_guid,
        legnumber as leg_number,
        cast(substring(selectionkey, 2, 9) as bigint) as selection_id,
        cast(decimalodds as numeric(18, 10)) as decimal_odds,
        case legresult
            when 'Won' then 'won'
            when 'Lost' then 'lost'
            when 'Void' then 'void'
            when 'Placed' then 'placed'
        end as leg_result,
        {{ london_text_to_instant('modifiedat') }} as updated_at,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
