with

versions as (

    select
        account_key,
        dbt_valid_from,
        dbt_valid_to,
        lead(dbt_valid_from) over (partition by account_key order by dbt_valid_from, dbt_scd_id) as next_valid_from
    from {{ ref('account_history') }}

)

-- The last version is open and every other one ends where the next begins.
select *
from versions
where
    dbt_valid_from >= dbt_valid_to
    or (next_valid_from is null and dbt_valid_to is not null)
    or (next_valid_from is not null and (dbt_valid_to is null or dbt_valid_to is distinct from next_valid_from))
