with

digits as (

    {% for digit in range(10) -%}
    select {{ digit }} as digit
    {%- if not loop.last %}
    union all
    {% endif %}
    {%- endfor %}

),

numbers as (

    select ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit as number_of_days
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands

),

days as (

    select cast(date '{{ var("calendar_starts_on") }}' + number_of_days as date) as calendar_date
    from numbers

),

final as (

    select
        calendar_date,
        cast(extract(year from calendar_date) as integer) as year_number,
        cast(extract(quarter from calendar_date) as integer) as quarter_number,
        cast(extract(month from calendar_date) as integer) as month_number,
        cast(date_trunc('month', calendar_date) as date) as first_day_of_month,
        case extract(dow from calendar_date)
            when 0 then 7
            else cast(extract(dow from calendar_date) as integer)
        end as iso_weekday,
        extract(dow from calendar_date) in (0, 6) as is_weekend
    from days
    where calendar_date <= date '{{ var("calendar_ends_on") }}'

)

select * from final
