with

source as (

    select * from {{ source('halcyon', 'bet') }}

),

renamed as (

    select
        lower(betguid) as bet_guid,
        lower(customerguid) as customer_guid,
        bettypename as halcyon_bet_type_name,
        iseachway as is_each_way,
        linecount as line_count,
        {{ major_units('unitstake') }} as unit_stake,
        {{ major_units('totalstake') }} as total_stake,
        {{ major_units('freebetstake') }} as bonus_stake,
        {{ major_units('returnamount') }} as return_amount,
        currencycode as currency_code,
        case statuscode
            when 1 then 'open'
            when 2 then 'won'
            when 3 then 'lost'
            when 4 then 'void'
            when 5 then 'cashed_out'
        end as bet_status,
        case platform
            when 'Web' then 'web'
            when 'App' then 'mobile'
        end as channel,
        isdeleted as is_deleted,
        {{ london_text_to_instant('placedat') }} as placed_at,
        {{ london_text_to_instant('settledat') }} as settled_at,
        {{ london_text_to_instant('modifiedat') }} as updated_at,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
