select
    bet_key,
    business_day,
    currency_code,
    cash_stake
from {{ ref('fct_bet') }}
where
    business_day is not null
    and gbp_per_unit is null
