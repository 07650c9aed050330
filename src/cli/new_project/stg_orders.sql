select
    cast(order_id as integer) as order_id,
    customer,
    cast(ordered_on as date) as ordered_on,
    status,
    cast(amount as numeric(12, 2)) as amount
from {{ ref('raw_orders') }}
