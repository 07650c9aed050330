with

meridian as (

    select distinct {{ business_key('meridian', ['bet_id']) }} as bet_key
    from {{ ref('stg_meridian__bet_tombstones') }}

),

halcyon_bets as (

    {{ latest_version(ref('stg_halcyon__bets'), 'bet_guid') }}

),

halcyon as (

    select {{ business_key('halcyon', ['bet_guid']) }} as bet_key
    from halcyon_bets
    where is_deleted

),

final as (

    select bet_key from meridian
    union all
    select bet_key from halcyon

)

select * from final
