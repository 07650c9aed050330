with

source as (

    select * from {{ source('halcyon', 'customer') }}

),

renamed as (

    select
        lower(customerguid) as customer_guid,
        emailaddress as email,
        forename as first_name,
        surname,
        birthdate as date_of_birth,
        postcode,
        currencycode as currency_code,
        case
            when isselfexcluded then 'self_excluded'
            when isactive then 'active'
            else 'inactive'
        end as account_status,
        isdeleted as is_deleted,
        {{ london_text_to_instant('createdat') }} as registered_at,
        {{ london_text_to_instant('modifiedat') }} as updated_at,
        _acca_file as source_file,
        _acca_loaded_at as loaded_at
    from source

)

select * from renamed
