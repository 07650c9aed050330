with

accounts as (

    select * from {{ ref('int_accounts') }}

),

customers as (

    select
        customer_key,
        count(*) as account_count,
        max(case when business = 'meridian' then 1 else 0 end) = 1 as is_meridian_customer,
        max(case when business = 'halcyon' then 1 else 0 end) = 1 as is_halcyon_customer,
        min(registered_at) as first_registered_at,
        min(self_excluded_at) as self_excluded_at
    from {{ ref('dim_account') }}
    group by customer_key

),

-- The account that gave the customer its key also gives its personal data.
final as (

    select
        customers.customer_key,
        accounts.first_name,
        accounts.surname,
        accounts.normalised_email as email,
        accounts.date_of_birth,
        accounts.normalised_postcode as postcode,
        accounts.country_code,
        customers.account_count,
        customers.is_meridian_customer,
        customers.is_halcyon_customer,
        customers.first_registered_at,
        customers.self_excluded_at is not null as is_self_excluded,
        customers.self_excluded_at
    from customers
    inner join accounts on customers.customer_key = accounts.account_key

)

select * from final
