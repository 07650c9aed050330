with

bets as (

    select * from {{ ref('fct_bet') }}

),

settlements as (

    select * from {{ ref('fct_settlement') }}

),

accounts as (

    select * from {{ ref('dim_account') }}

)

select
    bets.bet_key,
    bets.currency_code as bet_currency_code,
    'settlement' as other,
    settlements.settlement_key as other_key,
    settlements.currency_code as other_currency_code
from bets
inner join settlements on bets.bet_key = settlements.bet_key
where bets.currency_code is distinct from settlements.currency_code

union all

select
    bets.bet_key,
    bets.currency_code as bet_currency_code,
    'account' as other,
    accounts.account_key as other_key,
    accounts.currency_code as other_currency_code
from bets
inner join accounts on bets.account_key = accounts.account_key
where bets.currency_code is distinct from accounts.currency_code
