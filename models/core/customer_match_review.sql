with

accounts as (

    select * from {{ ref('dim_account') }}

),

matches as (

    select * from {{ ref('int_account_matches') }}

),

final as (

    select
        accounts.account_key,
        matches.matched_account_key as candidate_customer_key,
        matches.match_rule
    from accounts
    inner join matches on accounts.account_key = matches.account_key
    where accounts.match_rule = 'conflict'

)

select * from final
