with

meridian_settlements as (

    select * from {{ ref('stg_meridian__settlements') }}

),

halcyon_bets as (

    select * from {{ ref('int_halcyon__bets') }}

),

deleted_bets as (

    select * from {{ ref('int_deleted_bets') }}

),

-- halcyon keeps the settlement on the bet itself.
unioned as (

    select
        {{ business_key('meridian', ['settlement_id']) }} as settlement_key,
        {{ business_key('meridian', ['bet_id']) }} as bet_key,
        'meridian' as business,
        settlement_type,
        currency_code,
        return_amount,
        settled_at,
        loaded_at
    from meridian_settlements

    union all

    select
        bet_key as settlement_key,
        bet_key,
        business,
        case
            when bet_status in ('cashed_out', 'void') then bet_status
            else 'settled'
        end as settlement_type,
        currency_code,
        return_amount,
        settled_at,
        loaded_at
    from halcyon_bets
    where settled_at is not null

),

final as (

    select
        unioned.*,
        {{ business_day('settled_at') }} as business_day
    from unioned
    left join deleted_bets on unioned.bet_key = deleted_bets.bet_key
    where deleted_bets.bet_key is null

)

select * from final
