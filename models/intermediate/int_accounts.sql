with

meridian_customers as (

    {{ latest_version(ref('stg_meridian__customers'), 'customer_id') }}

),

meridian_self_exclusions as (

    select
        customer_id,
        min(updated_at) as self_excluded_at
    from {{ ref('stg_meridian__customers') }}
    where account_status = 'self_excluded'
    group by customer_id

),

halcyon_customers as (

    {{ latest_version(ref('stg_halcyon__customers'), 'customer_guid') }}

),

halcyon_self_exclusions as (

    select
        customer_guid,
        min(updated_at) as self_excluded_at
    from {{ ref('stg_halcyon__customers') }}
    where account_status = 'self_excluded'
    group by customer_guid

),

unioned as (

    select
        {{ business_key('meridian', ['customers.customer_id']) }} as account_key,
        'meridian' as business,
        customers.email,
        customers.first_name,
        customers.surname,
        customers.date_of_birth,
        customers.postcode,
        customers.country_code,
        customers.currency_code,
        customers.account_status,
        customers.is_marketing_allowed,
        customers.registered_at,
        self_exclusions.self_excluded_at,
        customers.updated_at
    from meridian_customers as customers
    left join meridian_self_exclusions as self_exclusions on customers.customer_id = self_exclusions.customer_id

    union all

    select
        {{ business_key('halcyon', ['customers.customer_guid']) }} as account_key,
        'halcyon' as business,
        customers.email,
        customers.first_name,
        customers.surname,
        customers.date_of_birth,
        customers.postcode,
        cast(null as varchar(2)) as country_code,
        customers.currency_code,
        customers.account_status,
        cast(null as boolean) as is_marketing_allowed,
        customers.registered_at,
        self_exclusions.self_excluded_at,
        customers.updated_at
    from halcyon_customers as customers
    left join halcyon_self_exclusions as self_exclusions on customers.customer_guid = self_exclusions.customer_guid
    where not customers.is_deleted

),

final as (

    select
        unioned.*,
        {{ normalised_email('email') }} as normalised_email,
        {{ normalised_name('surname') }} as normalised_surname,
        {{ normalised_postcode('postcode') }} as normalised_postcode
    from unioned

)

select * from final
