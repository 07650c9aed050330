with

bets as (

    select
        count(*) as bets_total,
        sum(case when bet_status = 'open' then 1 else 0 end) as open_bets
    from {{ ref('fct_bet') }}

),

customers as (

    select
        count(*) as golden_customers,
        sum(case when is_meridian_customer and is_halcyon_customer then 1 else 0 end) as matched_customers
    from {{ ref('dim_customer') }}

),

reviews as (

    select count(distinct account_key) as review_conflicts
    from {{ ref('customer_match_review') }}

),

counted as (

    select 'bets_total' as metric_name, bets_total as metric_value from bets
    union all
    select 'open_bets' as metric_name, open_bets as metric_value from bets
    union all
    select 'golden_customers' as metric_name, golden_customers as metric_value from customers
    union all
    select 'matched_customers' as metric_name, matched_customers as metric_value from customers
    union all
    select 'review_conflicts' as metric_name, review_conflicts as metric_value from reviews

),

control as (

    select * from {{ ref('stg_treasury__control_matches') }}

)

select
    coalesce(counted.metric_name, control.metric_name) as metric_name,
    counted.metric_value,
    control.metric_value as control_metric_value
from counted
full join control on counted.metric_name = control.metric_name
where
    counted.metric_name is null
    or control.metric_name is null
    or counted.metric_value is distinct from control.metric_value
