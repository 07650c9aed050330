{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='bet_key',
        post_hook="{{ delete_removed_bets(this) }}"
    )
}}

with

bets as (

    select * from {{ ref('int_bets') }}

),

bet_sports as (

    select * from {{ ref('int_bet_sports') }}

),

fx_rates as (

    select * from {{ ref('fx_rate_daily') }}

),

joined as (

    select
        bets.*,
        coalesce(bet_sports.leg_count, 0) as leg_count,
        coalesce(bet_sports.sport, 'unknown') as sport,
        bets.bet_status in ('won', 'lost', 'cashed_out') as is_counted,
        fx_rates.gbp_per_unit,
        {{ to_gbp('bets.cash_stake', 'fx_rates.gbp_per_unit') }} as cash_stake_gbp,
        {{ to_gbp('bets.return_amount', 'fx_rates.gbp_per_unit') }} as return_gbp,
        greatest(bets.loaded_at, bet_sports.loaded_at) as last_loaded_at
    from bets
    left join bet_sports on bets.bet_key = bet_sports.bet_key
    left join fx_rates
        on bets.business_day = fx_rates.business_day
        and bets.currency_code = fx_rates.currency_code

),

final as (

    select
        bet_key,
        business,
        account_key,
        channel,
        sport,
        bet_type_code,
        is_each_way,
        leg_count,
        line_count,
        bet_status,
        placed_at,
        settled_at,
        business_day,
        currency_code,
        unit_stake,
        total_stake,
        bonus_stake,
        cash_stake,
        return_amount,
        gbp_per_unit,
        case when is_counted then 1 else 0 end as settled_bet_count,
        case when is_counted then cash_stake end as turnover,
        case when is_counted then return_amount end as returns,
        case when is_counted then cast(cash_stake - return_amount as numeric(19, 4)) end as ggr,
        case when is_counted then cash_stake_gbp end as turnover_gbp,
        case when is_counted then return_gbp end as returns_gbp,
        case when is_counted then cast(cash_stake_gbp - return_gbp as numeric(19, 2)) end as ggr_gbp,
        updated_at,
        last_loaded_at as loaded_at
    from joined

)

select * from final

{% if is_incremental() %}
where
    loaded_at >= (select max(loaded_at) from {{ this }})
    or business_day > (select max(business_day) from {{ this }}) - {{ var('lookback_days') }}
{% endif %}
