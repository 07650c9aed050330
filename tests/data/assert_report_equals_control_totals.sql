with

reported as (

    select
        business_day,
        business,
        sum(bet_count) as bet_count,
        sum(turnover_gbp) as turnover_gbp,
        sum(returns_gbp) as returns_gbp,
        sum(ggr_gbp) as ggr_gbp
    from {{ ref('rpt_daily_ggr') }}
    group by business_day, business

),

control as (

    select * from {{ ref('stg_treasury__control_totals') }}

)

select
    coalesce(reported.business_day, control.business_day) as business_day,
    coalesce(reported.business, control.business) as business,
    reported.bet_count,
    control.bet_count as control_bet_count,
    reported.turnover_gbp,
    control.turnover_gbp as control_turnover_gbp,
    reported.returns_gbp,
    control.returns_gbp as control_returns_gbp,
    reported.ggr_gbp,
    control.ggr_gbp as control_ggr_gbp
from reported
full join control
    on reported.business_day = control.business_day
    and reported.business = control.business
where
    reported.business is null
    or control.business is null
    or reported.bet_count is distinct from control.bet_count
    or reported.turnover_gbp is distinct from control.turnover_gbp
    or reported.returns_gbp is distinct from control.returns_gbp
    or reported.ggr_gbp is distinct from control.ggr_gbp
