with

accounts as (

    select * from {{ ref('int_accounts') }}

),

identities as (

    select * from {{ ref('int_account_identities') }}

),

final as (

    select
        accounts.account_key,
        accounts.business,
        identities.customer_key,
        identities.match_rule,
        identities.match_confidence,
        accounts.account_status,
        accounts.currency_code,
        accounts.is_marketing_allowed,
        accounts.registered_at,
        accounts.self_excluded_at,
        accounts.updated_at
    from accounts
    inner join identities on accounts.account_key = identities.account_key

)

select * from final
