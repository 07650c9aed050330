{{
    config(
        materialized='incremental',
        incremental_strategy='delete+insert',
        unique_key='bet_key',
        post_hook="{{ delete_rows_gone_from(ref('int_bets'), 'bet_key') }}"
    )
}}

with

bets as (

    select * from {{ ref('int_bets') }}

),

bet_legs as (

    select * from {{ ref('fct_bet_leg') }}

),

selections as (

    select * from {{ ref('dim_selection') }}

),

fx_rates as (

    select * from {{ ref('fx_rate_daily') }}

),

bet_sports as (

    select
        bet_legs.bet_key,
        count(*) as leg_count,
        case
            when count(selections.sport_name) < count(*) then 'unknown'
            when min(selections.sport_name) = max(selections.sport_name) then min(selections.sport_name)
            else 'multiple'
        end as sport,
        max(bet_legs.loaded_at) as loaded_at
    from bet_legs
    left join selections on bet_legs.selection_id = selections.selection_id
    group by bet_legs.bet_key

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
        cast(case when is_counted then cash_stake end as numeric(19, 4)) as turnover,
        cast(case when is_counted then return_amount end as numeric(19, 4)) as returns,
        cast(case when is_counted then cash_stake - return_amount end as numeric(19, 4)) as ggr,
        cast(case when is_counted then cash_stake_gbp end as numeric(19, 2)) as turnover_gbp,
        cast(case when is_counted then return_gbp end as numeric(19, 2)) as returns_gbp,
        cast(case when is_counted then cash_stake_gbp - return_gbp end as numeric(19, 2)) as ggr_gbp,
        updated_at,
        last_loaded_at as loaded_at
    from joined

)

select * from final

{% if is_incremental() %}
{{ where_changed(this, 'bet_key') }}
{% endif %}
