with

bets as (

    select * from {{ ref('fct_bet') }}
    where settled_bet_count = 1

),

totals as (

    select
        business_day,
        business,
        channel,
        currency_code,
        sport,
        cast(sum(settled_bet_count) as bigint) as bet_count,
        cast(sum(turnover) as numeric(19, 4)) as turnover,
        cast(sum(returns) as numeric(19, 4)) as returns,
        cast(sum(ggr) as numeric(19, 4)) as ggr,
        cast(sum(turnover_gbp) as numeric(19, 2)) as turnover_gbp,
        cast(sum(returns_gbp) as numeric(19, 2)) as returns_gbp,
        cast(sum(ggr_gbp) as numeric(19, 2)) as ggr_gbp
    from bets
    group by
        business_day,
        business,
        channel,
        currency_code,
        sport

),

final as (

    select
        totals.*,
        {{ margin('ggr', 'turnover') }} as margin
    from totals

)

select * from final
