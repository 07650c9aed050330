with

placed as (

    select
        business,
        {{ day_of_source('business', 'placed_at') }} as placed_on,
        count(*) as bet_count,
        cast(sum({{ minor_units_of_any_currency('total_stake') }}) as numeric(38, 4)) as total_stake_minor
    from {{ ref('fct_bet') }}
    group by 1, 2

),

control as (

    select
        business,
        placed_on,
        row_count,
        total_stake_minor
    from {{ ref('stg_treasury__control_source_totals') }}
    where table_name in ('bets', 'bet')

)

select
    coalesce(placed.business, control.business) as business,
    coalesce(placed.placed_on, control.placed_on) as placed_on,
    placed.bet_count,
    control.row_count as control_row_count,
    placed.total_stake_minor,
    control.total_stake_minor as control_total_stake_minor
from placed
full join control
    on placed.business = control.business
    and placed.placed_on = control.placed_on
where
    placed.business is null
    or control.business is null
    or placed.bet_count is distinct from control.row_count
    or placed.total_stake_minor is distinct from control.total_stake_minor
