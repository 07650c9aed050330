with

accounts as (

    select * from {{ ref('int_accounts') }}

),

meridian_accounts as (

    select * from accounts
    where business = 'meridian'

),

halcyon_accounts as (

    select * from accounts
    where business = 'halcyon'

),

same_email as (

    select
        halcyon_accounts.account_key,
        meridian_accounts.account_key as matched_account_key,
        'email' as match_rule
    from halcyon_accounts
    inner join meridian_accounts on halcyon_accounts.normalised_email = meridian_accounts.normalised_email

),

same_person as (

    select
        halcyon_accounts.account_key,
        meridian_accounts.account_key as matched_account_key,
        'surname_birth_date_postcode' as match_rule
    from halcyon_accounts
    inner join meridian_accounts
        on halcyon_accounts.normalised_surname = meridian_accounts.normalised_surname
        and halcyon_accounts.date_of_birth = meridian_accounts.date_of_birth
        and halcyon_accounts.normalised_postcode = meridian_accounts.normalised_postcode

),

final as (

    select * from same_email
    union all
    select * from same_person

)

select * from final
