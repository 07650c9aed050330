{%- set currencies = ['USD', 'JPY', 'GBP', 'AUD', 'NZD', 'CHF', 'DKK', 'SEK', 'NOK', 'PLN', 'CAD'] -%}

with

source as (

    select * from {{ source('treasury', 'ecb_eur_daily') }}

),

unpivoted as (

    {% for currency in currencies -%}
    select
        source.date as published_on,
        '{{ currency }}' as currency_code,
        cast(source.{{ currency | lower }} as numeric(18, 8)) as units_per_eur,
        source._acca_file as source_file,
        source._acca_loaded_at as loaded_at
    from source
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}

)

select * from unpivoted
where units_per_eur is not null
