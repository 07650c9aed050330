with

meridian_legs as (

    {{ latest_version(ref('stg_meridian__bet_legs'), 'bet_id, leg_number') }}

),

halcyon_legs as (

    {{ latest_version(ref('stg_halcyon__bet_selections'), 'bet_guid, leg_number') }}

),

deleted_bets as (

    select * from {{ ref('int_deleted_bets') }}

),

unioned as (

    select
        {{ business_key('meridian', ['bet_id', 'leg_number']) }} as bet_leg_key,
        {{ business_key('meridian', ['bet_id']) }} as bet_key,
        'meridian' as business,
        leg_number,
        selection_id,
        price_numerator,
        price_denominator,
        decimal_odds,
        leg_result,
        updated_at,
        loaded_at
    from meridian_legs

    union all

    select
        {{ business_key('halcyon', ['bet_guid', 'leg_number']) }} as bet_leg_key,
        {{ business_key('halcyon', ['bet_guid']) }} as bet_key,
        'halcyon' as business,
        leg_number,
        selection_id,
        cast(null as integer) as price_numerator,
        cast(null as integer) as price_denominator,
        decimal_odds,
        leg_result,
        updated_at,
        loaded_at
    from halcyon_legs

),

final as (

    select unioned.*
    from unioned
    left join deleted_bets on unioned.bet_key = deleted_bets.bet_key
    where deleted_bets.bet_key is null

)

select * from final
