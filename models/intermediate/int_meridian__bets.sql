with

bets as (

    {{ latest_version(ref('stg_meridian__bets'), 'bet_id') }}

),

settlements as (

    select * from {{ ref('stg_meridian__settlements') }}

),

tombstones as (

    select distinct bet_id from {{ ref('stg_meridian__bet_tombstones') }}

),

bet_types as (

    select * from {{ ref('bet_types') }}

),

returns as (

    select
        bet_id,
        cast(sum(return_amount) as numeric(19, 4)) as return_amount,
        max(settled_at) as settled_at,
        max(loaded_at) as loaded_at
    from settlements
    group by bet_id

),

final as (

    select
        {{ business_key('meridian', ['bets.bet_id']) }} as bet_key,
        'meridian' as business,
        {{ business_key('meridian', ['bets.customer_id']) }} as account_key,
        bet_types.bet_type_code,
        bets.is_each_way,
        bets.line_count,
        bets.channel,
        bets.bet_status,
        bets.currency_code,
        bets.unit_stake,
        bets.total_stake,
        bets.bonus_stake,
        returns.return_amount,
        bets.placed_at,
        returns.settled_at,
        bets.updated_at,
        greatest(bets.loaded_at, returns.loaded_at) as loaded_at
    from bets
    left join returns on bets.bet_id = returns.bet_id
    left join tombstones on bets.bet_id = tombstones.bet_id
    left join bet_types on bets.meridian_bet_type_code = bet_types.meridian_code
    where tombstones.bet_id is null

)

select * from final
