with

bets as (

    select * from {{ ref('fct_bet') }}

),

accounts as (

    select * from {{ ref('dim_account') }}

),

customers as (

    select * from {{ ref('dim_customer') }}

)

select
    bets.bet_key,
    bets.placed_at,
    accounts.account_key,
    customers.customer_key,
    customers.self_excluded_at
from bets
inner join accounts on bets.account_key = accounts.account_key
inner join customers on accounts.customer_key = customers.customer_key
where bets.placed_at >= customers.self_excluded_at
