{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='settlement_key',
        post_hook="{{ delete_rows_gone_from(ref('int_settlements'), 'settlement_key') }}"
    )
}}

with

settlements as (

    select * from {{ ref('int_settlements') }}

),

final as (

    select
        settlement_key,
        bet_key,
        business,
        settlement_type,
        settled_at,
        business_day,
        currency_code,
        return_amount,
        loaded_at
    from settlements

)

select * from final

{% if is_incremental() %}
{{ where_changed(this, 'settlement_key') }}
{% endif %}
