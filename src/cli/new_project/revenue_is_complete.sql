-- Every penny of the paid orders is in the report: this query must find nothing.
select *
from (
    select
        (select sum(revenue) from {{ ref('daily_revenue') }}) as reported,
        (select sum(amount) from {{ ref('stg_orders') }} where status = 'paid') as paid
) as totals
where reported is distinct from paid
