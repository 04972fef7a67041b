from django.contrib import admin
from django.urls import include, path
from hidp.config import urls as hidp_urls

urlpatterns = [
    path("", include(hidp_urls)),
    path("admin/", admin.site.urls),
]
