select
    ordered_on,
    count(*) as orders,
    sum(amount) as revenue
from {{ ref('stg_orders') }}
where status = 'paid'
group by ordered_on
