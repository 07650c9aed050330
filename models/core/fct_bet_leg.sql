{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='bet_leg_key',
        post_hook="{{ delete_rows_gone_from(ref('int_bet_legs'), 'bet_leg_key') }}"
    )
}}

with

bet_legs as (

    select * from {{ ref('int_bet_legs') }}

),

final as (

    select
        bet_leg_key,
        bet_key,
        business,
        leg_number,
        selection_id,
        price_numerator,
        price_denominator,
        decimal_odds,
        leg_result,
        updated_at,
        loaded_at
    from bet_legs

)

select * from final

{% if is_incremental() %}
{{ where_changed(this, 'bet_leg_key') }}
{% endif %}
