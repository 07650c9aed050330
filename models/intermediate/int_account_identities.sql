with

accounts as (

    select * from {{ ref('int_accounts') }}

),

matches as (

    select * from {{ ref('int_account_matches') }}

),

matches_by_account as (

    select
        account_key,
        count(distinct matched_account_key) as matched_customer_count,
        min(matched_account_key) as matched_account_key,
        max(case when match_rule = 'email' then 1 else 0 end) as is_matched_by_email
    from matches
    group by account_key

),

-- An account that matches two persons stays a person of its own until somebody has looked at it.
final as (

    select
        accounts.account_key,
        case
            when matches_by_account.matched_customer_count = 1 then matches_by_account.matched_account_key
            else accounts.account_key
        end as customer_key,
        case
            when matches_by_account.matched_customer_count > 1 then 'conflict'
            when matches_by_account.is_matched_by_email = 1 then 'email'
            when matches_by_account.is_matched_by_email = 0 then 'surname_birth_date_postcode'
            else 'own_account'
        end as match_rule,
        case
            when matches_by_account.matched_customer_count > 1 then 'review'
            when matches_by_account.is_matched_by_email = 0 then 'probable'
            else 'certain'
        end as match_confidence
    from accounts
    left join matches_by_account on accounts.account_key = matches_by_account.account_key

)

select * from final
