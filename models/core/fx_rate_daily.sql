with

days as (

    select calendar_date from {{ ref('dim_date') }}

),

published as (

    select
        published_on,
        units_per_eur as gbp_per_eur
    from {{ ref('stg_treasury__ecb_rates') }}
    where currency_code = 'GBP'

),

-- A run begins on a day with a rate and holds the days without one that follow.
runs as (

    select
        days.calendar_date,
        published.published_on,
        published.gbp_per_eur,
        count(published.published_on) over (
            order by days.calendar_date
            rows between unbounded preceding and current row
        ) as run_number
    from days
    left join published on days.calendar_date = published.published_on

),

euro as (

    select
        calendar_date,
        max(published_on) over (partition by run_number) as published_on,
        max(gbp_per_eur) over (partition by run_number) as gbp_per_unit
    from runs

),

final as (

    select
        calendar_date as business_day,
        'EUR' as currency_code,
        published_on,
        cast(gbp_per_unit as numeric(18, 8)) as gbp_per_unit
    from euro
    where calendar_date - published_on <= {{ var('fx_max_age_days') }}

    union all

    select
        calendar_date as business_day,
        'GBP' as currency_code,
        calendar_date as published_on,
        cast(1 as numeric(18, 8)) as gbp_per_unit
    from days

)

select * from final
