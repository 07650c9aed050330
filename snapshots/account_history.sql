{% snapshot account_history %}

{{
    config(
        unique_key='account_key',
        strategy='check',
        check_cols=['customer_key', 'account_status', 'currency_code', 'is_marketing_allowed', 'self_excluded_at']
    )
}}

select
    account_key,
    business,
    customer_key,
    account_status,
    currency_code,
    is_marketing_allowed,
    self_excluded_at
from {{ ref('dim_account') }}

{% endsnapshot %}
