with

unioned as (

    select * from {{ ref('int_meridian__bets') }}
    union all
    select * from {{ ref('int_halcyon__bets') }}

),

final as (

    select
        unioned.*,
        cast(total_stake - bonus_stake as numeric(19, 4)) as cash_stake,
        {{ business_day('settled_at') }} as business_day
    from unioned

)

select * from final
