with

source as (

    select * from {{ source('meridian', 'customers') }}

),

renamed as (

    select
        customer_id,
        email,
        first_name,
        surname,
        date_of_birth,
        postcode,
        country_code,
        currency_code,
        case status
            when 'A' then 'active'
            when 'S' then 'suspended'
            when 'X' then 'self_excluded'
            when 'C' then 'closed'
        end as account_status,
        marketing_opt_in = 'Y' as is_marketing_allowed,
        {{ utc_to_instant('registered_at') }} as registered_at,
        {{ utc_to_instant('updated_at') }} as updated_at,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
